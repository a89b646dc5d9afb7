/**
 * Preloaded (`--import`) into bridges and servers that would listen on all addresses: they have no login, and
 * while a test or the demo runs, the network around the machine could use them past the gateway.
 */
import { Server } from 'node:net';

type Listen = (this: Server, ...parameters: readonly unknown[]) => Server;
const listen = Reflect.get(Server.prototype, 'listen') as Listen;

Server.prototype.listen = function (this: Server, port: unknown, ...others: readonly unknown[]): Server {
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...others.slice(-1));
} as typeof Server.prototype.listen;
