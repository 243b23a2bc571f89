import { writeFileSync } from 'node:fs';
import { referenceText, schemaText } from './reference.ts';

// Both files are kept in the repository so that editors and readers need not build anything; a test holds them to this.
writeFileSync(new URL('../../configs/schema.json', import.meta.url), schemaText());
writeFileSync(new URL('../../docs/configuration.md', import.meta.url), referenceText());
