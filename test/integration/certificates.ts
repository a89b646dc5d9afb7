/** X.509 certificates made in the test: DER by hand, signed by node:crypto, so that no tool has to be there. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** From and to, as UTCTime has them (X.690 §11.8). */
type Validity = readonly [notBefore: string, notAfter: string];

/** A certificate for `name` (also its DNS name), signed by `issuer` or by itself; it may sign others. */
export function makeCertificate(
  name: string,
  issuer?: Certificate,
  [notBefore, notAfter]: Validity = ['250101000000Z', '491231235959Z'],
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer ?? { name, privateKey };
  const tbs = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(signer.name),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(basicConstraints, subjectAlternativeName(name))),
  );
  const signature = sign('sha256', tbs, signer.privateKey);
  const der = sequence(tbs, ecdsaWithSha256, bitString(signature));
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    name,
    privateKey,
  };
}

/** X.690 §8.1: tag, length, contents. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), contents]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const integer = (value: Buffer): Buffer => tagged(0x02, value);
const bitString = (value: Buffer): Buffer => tagged(0x03, Buffer.from([0]), value);
const octets = (value: Buffer): Buffer => tagged(0x04, value);
const utcTime = (text: string): Buffer => tagged(0x17, Buffer.from(text));
const identifier = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
/** 2.5.29.19, critical: a certificate authority. */
const basicConstraints = sequence(
  identifier('551d13'),
  tagged(0x01, Buffer.from([255])),
  octets(sequence(tagged(0x01, Buffer.from([255])))),
);

/** 2.5.4.3 */
function distinguishedName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(name)))));
}

/** 2.5.29.17 */
function subjectAlternativeName(name: string): Buffer {
  return sequence(identifier('551d11'), octets(sequence(tagged(0x82, Buffer.from(name)))));
}
