import { randomBytes } from 'node:crypto';

import type { NetworkPorts } from '../../authorization-servers/outbound/authority-fetch.ts';
import type { Authorities } from '../../authorization-servers/authority.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { RecordStore } from '../../state/records/record-store.ts';
import type { ReplayStore } from '../../state/replay-store.ts';
import type { UserLoginReason } from '../../vocabulary/refusal.ts';
import { beginLogin, finishLogin } from '../oauth/login.ts';
import { ConfiguredReaches } from './configured-reaches.ts';
import { isTheOne } from './is-the-one.ts';
import type { LoginSeal } from './login-seal.ts';
import { askingPage, donePage, leavingPage } from './login-pages.ts';
import type { Place } from './place.ts';
import { placeOf } from './place.ts';
import type { ProofParts, Visitor } from './prove-person.ts';
import { beginProof, finishProof } from './prove-person.ts';
import type { Told } from './told.ts';
import { busy, otherBrowser, refused, visit } from './told.ts';
import type { Return } from './ways-back.ts';
import { callbackPath, identityPath, isBackFrom, isSame } from './ways-back.ts';

export interface UserLoginParts {
  readonly configuration: Pick<Configuration, 'publicUrl' | 'login' | 'routes'>;
  readonly authorities: Pick<Authorities, 'of'>;
  readonly seal: LoginSeal;
  readonly records: RecordStore;
  readonly replays: ReplayStore;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly network: NetworkPorts;
}

/** A person reads, finds a password, is asked for a second factor. */
const stepLifetimeMs = 600_000;

/** As long as anything that was used could be shown again: a link is open, then the login, then the question. */
const usedForMs = 3 * stepLifetimeMs;

/** Browsers keep no cookie of more than 4,096 characters, name and attributes included. */
const longestHeld = 3900;

/** Each may wait seconds for somebody else's server. */
const mostUnderWay = 20;

/**
 * A person logs in at an upstream themselves, in four visits of one browser: the link, the way back from the authorization
 * server that knows them, their consent, and the way back from the upstream's. What proves anything comes from those two
 * servers; the browser keeps where it stands, sealed. Nothing is kept here until the login is whole.
 */
export class UserLogins {
  readonly #parts: UserLoginParts;
  readonly #reaches: ConfiguredReaches;
  readonly #origin: string;
  #underWay = 0;

  constructor(parts: UserLoginParts) {
    this.#parts = parts;
    this.#reaches = new ConfiguredReaches(parts.network);
    this.#origin = new URL(parts.configuration.publicUrl).origin;
  }

  /** Whoever has the link is sent to show that they are the one it is for. */
  async start(ticket: string | undefined): Promise<Told> {
    const link = ticket === undefined ? undefined : this.#parts.seal.open('link', ticket);
    if (link === undefined) return refused(undefined, 'login_link', 'no link of this gateway');
    if (link === 'ended') return refused(undefined, 'login_link', 'the link has ended');
    const place = placeOf(this.#parts.configuration, link);
    if (place === undefined) return refused(undefined, 'login_link', gone);
    const about = visit(place, 'start');
    const begun = await this.#oneOfFew(() => beginProof(this.#proofParts(place)));
    if (begun === 'busy') return busy(about);
    if (!begun.ok) return refused(about, `login_${begun.why}`, begun.detail);
    const held = this.#parts.seal.close('proving', { link, ...begun.secrets, endsAtMs: this.#soon() });
    return held.length > longestHeld
      ? refused(about, 'login_failed', 'the login is larger than a cookie')
      : { is: 'redirect', to: begun.url, held, about };
  }

  /** Back from the authorization server of the route: the right person is asked whether they agree. */
  async prove(held: string | undefined, back: Return): Promise<Told> {
    const proving = held === undefined ? undefined : this.#parts.seal.open('proving', held);
    if (proving === undefined || proving === 'ended') return otherBrowser(proving);
    const place = placeOf(this.#parts.configuration, proving.link);
    if (place === undefined) return refused(undefined, 'login_link', gone);
    const about = visit(place, 'identity');
    if (!isBackFrom({ path: identityPath(place), state: proving.state }, back))
      return refused(about, 'login_browser', foreignState);
    const again = await this.#useUp(place, proving.state);
    if (again !== undefined) return refused(about, again.reason, again.detail);
    const told = await this.#oneOfFew(async (): Promise<Told> => {
      const proved = await finishProof(proving, back.parameters, this.#proofParts(place));
      if (!proved.ok) return refused(about, `login_${proved.why}`, proved.detail);
      return this.#ask(place, proved.visitor);
    });
    return told === 'busy' ? busy(about) : told;
  }

  /** What the person answered. */
  async consent(held: string | undefined, form: URLSearchParams): Promise<Told> {
    const asking = held === undefined ? undefined : this.#parts.seal.open('asking', held);
    if (asking === undefined || asking === 'ended') return otherBrowser(asking);
    const place = placeOf(this.#parts.configuration, asking.link);
    if (place === undefined) return refused(undefined, 'login_link', gone);
    const about = visit(place, 'consent', asking.link.person);
    // A page of somebody else could have the browser send a form here, but can't know what ours holds.
    if (!isSame(form.get('form') ?? '', asking.form))
      return refused(about, 'login_form', 'the form is not the one that was shown');
    if (form.get('answer') !== 'allow') return refused(about, 'login_declined', 'the person said no');
    const again = await this.#useUp(place, asking.link.id);
    if (again !== undefined) return refused(about, again.reason, again.detail);
    const { form: _form, ...leaving } = asking;
    const sealed = this.#parts.seal.close('leaving', { ...leaving, endsAtMs: this.#soon() });
    return { is: 'page', page: leavingPage(asking.pending), held: sealed, about };
  }

  /** Back from the upstream's authorization server: the login is kept for the person that was proved. */
  async finish(held: string | undefined, back: Return): Promise<Told> {
    const leaving = held === undefined ? undefined : this.#parts.seal.open('leaving', held);
    if (leaving === undefined || leaving === 'ended') return otherBrowser(leaving);
    const place = placeOf(this.#parts.configuration, leaving.link);
    if (place === undefined) return refused(undefined, 'login_link', gone);
    const about = visit(place, 'callback', leaving.link.person);
    const { pending } = leaving;
    if (!isBackFrom({ path: callbackPath(place), state: pending.state }, back))
      return refused(about, 'login_browser', foreignState);
    const again = await this.#useUp(place, pending.state);
    if (again !== undefined) return refused(about, again.reason, again.detail);
    const finished = await this.#oneOfFew(() =>
      finishLogin(pending, back.parameters, this.#loginParts(place)),
    );
    if (finished === 'busy') return busy(about);
    if (finished.ok) return { is: 'page', page: donePage(place.route), held: undefined, about };
    return refused(about, `login_${finished.why}`, finished.detail);
  }

  /** Ends the connections. */
  close(): void {
    this.#reaches.close();
  }

  async #ask(place: Place, visitor: Visitor): Promise<Told> {
    const { link, route, prover } = place;
    const person = { issuer: visitor.issuer, subject: visitor.subject };
    if (!isTheOne(visitor, link, prover.client)) {
      const about = visit(place, 'identity', person);
      const { idTokenClaim, accessTokenClaim } = prover.client;
      const detail = `${idTokenClaim} of the ID token isn't ${accessTokenClaim} of the token that the link was made for, or their issuers differ`;
      return refused(about, 'login_other_person', detail, visitor.name);
    }
    const about = visit(place, 'identity', link.person);
    const redirectUri = `${this.#origin}${callbackPath(place)}`;
    const begun = await beginLogin({ route, person: link.person, redirectUri }, this.#loginParts(place));
    if (!begun.ok) return refused(about, 'login_failed', begun.detail);
    const { pending } = begun;
    const form = randomBytes(16).toString('base64url');
    const asking = { link, pending, form, endsAtMs: this.#soon() };
    const held = this.#parts.seal.close('asking', asking);
    if (held.length > longestHeld) return refused(about, 'login_failed', 'the login is larger than a cookie');
    const page = askingPage({ route, pending, form, name: visitor.name, gateway: this.#origin });
    return { is: 'page', page, held, about };
  }

  #proofParts(place: Place): ProofParts {
    const { server, client } = place.prover;
    const authority = this.#parts.authorities.of(server);
    return { authority, client, redirectUri: `${this.#origin}${identityPath(place)}` };
  }

  #loginParts({ route, settings }: Place): Parameters<typeof beginLogin>[1] {
    const { records: store, clock } = this.#parts;
    return { settings, store, clock, fetch: this.#reaches.of(route, settings) };
  }

  /** Why this may not be used now; undefined the first time. */
  async #useUp(
    { link: { person } }: Place,
    id: string,
  ): Promise<{ readonly reason: UserLoginReason; readonly detail: string } | undefined> {
    const holder = JSON.stringify(['login', person.issuer, person.subject]);
    const claim = await this.#parts.replays.claim({ holder, id, ttlMs: usedForMs });
    if (claim === 'new') return undefined;
    return claim === 'seen'
      ? { reason: 'login_link_used', detail: 'it was used before' }
      : { reason: 'login_unavailable', detail: `what was used before can't be looked up: ${claim}` };
  }

  async #oneOfFew<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    if (this.#underWay >= mostUnderWay) return 'busy';
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
    }
  }

  #soon(): number {
    return this.#parts.clock() + stepLifetimeMs;
  }
}

const gone = 'the configuration has this login no more';
const foreignState = 'what came back belongs to another login';
