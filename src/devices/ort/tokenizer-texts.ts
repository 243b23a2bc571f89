import type { LanguageSpec, VerifiedFile } from '../../core/model.ts';
import type { TokenizerFiles } from '../../models/language/tokenizer-files.ts';
import { readVerifiedModel } from './model-file.ts';

/** The text of a file that is still what its hash says. Errors: as of `readVerifiedModel`. */
export const verifiedText = ({ file, sha256 }: VerifiedFile): string => Buffer.from(readVerifiedModel(file, sha256)).toString('utf8');

/** What a language model's tokens are read from; undefined where the model comes without. Errors: as of `readVerifiedModel`. */
export function readTokenizerTexts({ tokenizer: files, generation }: LanguageSpec): TokenizerFiles | undefined {
  if (files === undefined) return undefined;
  const { tokenizer, config, chatTemplate } = files;
  return {
    tokenizer: verifiedText(tokenizer),
    config: verifiedText(config),
    generation: generation && verifiedText(generation),
    chatTemplate: chatTemplate && verifiedText(chatTemplate),
  };
}
