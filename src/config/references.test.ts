import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

/** One DER element (ITU-T X.690): tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));

/** A certificate of RFC 5280 in its least form, signed by its own key. */
function selfSigned(publicKey: KeyObject, privateKey: KeyObject): string {
  const name = der(
    0x30,
    der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('test')))),
  );
  const validity = der(
    0x30,
    der(0x17, Buffer.from('260101000000Z')),
    der(0x17, Buffer.from('460101000000Z')),
  );
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const certificate = der(0x30, der(0x02, Buffer.from([1])), ecdsaWithSha256, name, validity, name, spki);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', certificate, privateKey));
  const base64 = der(0x30, certificate, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function mint(): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    certificate: selfSigned(publicKey, privateKey),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const [own, other] = [mint(), mint()];
const encrypted = createPrivateKey(own.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();

const files: Readonly<Record<string, string>> = {
  '/etc/portcullis/own.pem': `the certificate of this machine\n${own.certificate}`,
  '/etc/portcullis/cut-off.pem': `${own.certificate}${other.certificate.slice(0, 200)}\n`,
  '/etc/portcullis/own-key.pem': own.key,
  '/etc/portcullis/other-key.pem': other.key,
  '/etc/portcullis/encrypted-key.pem': encrypted,
  '/run/ca.pem': other.certificate,
};

function load(upstreamTls: string) {
  const text = `publicUrl: https://h.example\nauthorizationServers: [{ issuer: https://a.example, tls: { caFile: /run/ca.pem } }]\nlisten: { tls: { certFile: own.pem, keyFile: own-key.pem } }\nroutes: [{ path: /, upstream: { url: https://b.example/, tls: ${upstreamTls} } }]\n`;
  const readFile = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return content;
  };
  return loadConfiguration(text, { file: '/etc/portcullis/config.yaml', environment: {}, readFile });
}

function told(upstreamTls: string): string {
  const loaded = load(upstreamTls);
  return loaded.ok ? '' : formatFaults('config.yaml', loaded.faults);
}

describe('files that the configuration names', () => {
  it('are read, relative to its folder or absolute', () => {
    const loaded = load('{ caFile: ../../run/ca.pem, certFile: own.pem, keyFile: own-key.pem }');
    expect(loaded.ok && loaded.configuration.listen.tls).toEqual({
      cert: files['/etc/portcullis/own.pem'],
      key: own.key,
    });
    expect(loaded.ok && loaded.configuration.authorizationServers[0]?.ca).toBe(other.certificate);
    expect(loaded.ok && loaded.configuration.routes[0]?.upstream.tls).toEqual({
      ca: other.certificate,
      cert: files['/etc/portcullis/own.pem'],
      key: own.key,
    });
  });

  it.each([
    [
      '{ certFile: own.pem, keyFile: other-key.pem }',
      'keyFile: found "other-key.pem", the key of another certificate',
    ],
    // A listener that runs would fail at it in the middle of a reload.
    [
      '{ certFile: cut-off.pem, keyFile: own-key.pem }',
      'certFile: found "cut-off.pem", which TLS can\'t use',
    ],
    ['{ certFile: own.pem, keyFile: own.pem }', 'a private key in PEM form'],
    ['{ certFile: own.pem, keyFile: encrypted-key.pem }', 'without a passphrase'],
    ['{ certFile: own.pem }', 'both certFile and keyFile, or neither'],
    ['{ keyFile: own-key.pem }', 'both certFile and keyFile, or neither'],
    ['{ caFile: own-key.pem }', 'certificates in PEM form'],
    ['{ caFile: gone.pem }', 'routes[0].upstream.tls.caFile: found "gone.pem", which doesn\'t exist'],
  ])('are faults as %s', (tls, says) => {
    expect(told(tls)).toContain(says);
  });

  it('show nothing of what they hold', () => {
    expect(told('{ certFile: own.pem, keyFile: other-key.pem, caFile: own-key.pem }')).not.toContain('BEGIN');
  });
});
