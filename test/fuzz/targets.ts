import type { FuzzTarget } from './target.ts';
import { address } from './targets/address.ts';
import { events } from './targets/events.ts';
import { http } from './targets/http.ts';
import { message } from './targets/message.ts';
import { token } from './targets/token.ts';

export const targets: readonly FuzzTarget[] = [token, message, events, address, http];
