import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** For `readOnnxGraph`: how long the files are that lie beside this model; undefined where there is none, or something else, such as a folder. */
export const externalSizeBeside =
  (model: string) =>
  (location: string): number | undefined => {
    const status = statSync(resolve(dirname(model), location), { throwIfNoEntry: false });
    return status?.isFile() === true ? status.size : undefined;
  };
