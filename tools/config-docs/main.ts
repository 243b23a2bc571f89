import { writeFileSync } from 'node:fs';
import { actionsSchemaText, referenceText, schemaText, socSchemaText } from './reference.ts';

// The files are kept in the repository so that editors and readers need not build anything; a test holds them to this.
writeFileSync(new URL('../../configs/schema.json', import.meta.url), schemaText());
writeFileSync(new URL('../../configs/soc/schema.json', import.meta.url), socSchemaText());
writeFileSync(new URL('../../configs/actions/schema.json', import.meta.url), actionsSchemaText());
writeFileSync(new URL('../../docs/configuration.md', import.meta.url), referenceText());
