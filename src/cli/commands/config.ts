import type { RuntimeConfig } from '../../config/runtime-config.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';

interface SchemaDeps extends Pick<CliDeps, 'out'> {
  readonly configJsonSchema: () => unknown;
}

interface PrintDeps extends Pick<CliDeps, 'out'> {
  readonly loadConfig: (file: string) => RuntimeConfig;
  /** YAML with every default filled in and secrets masked. */
  readonly printConfig: (config: RuntimeConfig) => string;
}

/** The JSON Schema of configuration and manifest, for editors. */
export function configSchemaCommand(deps: SchemaDeps): number {
  deps.out.write(`${JSON.stringify(deps.configJsonSchema(), null, 2)}\n`);
  return EXIT.fine;
}

/** What a configuration comes to, as the runtime sees it. */
export function configPrintCommand(file: string, deps: PrintDeps): number {
  const text = deps.printConfig(deps.loadConfig(file));
  deps.out.write(text.endsWith('\n') ? text : `${text}\n`);
  return EXIT.fine;
}
