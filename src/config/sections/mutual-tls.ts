import { certificatesFile, keyFile } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';

/** How the gateway and a server that it connects to prove themselves. */
export const mutualTls = mapping({
  caFile: certificatesFile
    .optional()
    .meta({ description: "PEM file of the authorities that are trusted instead of the system's." }),
  certFile: certificatesFile.optional().meta({ description: 'PEM file of the client certificate.' }),
  keyFile: keyFile.optional().meta({ description: 'PEM file of its key.' }),
});
