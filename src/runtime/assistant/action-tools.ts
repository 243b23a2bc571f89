import type { ActionArgument, ActionCatalogue } from '../../core/action.ts';
import type { ToolSpec } from '../../models/language/constraint/tool-grammar.ts';

/** Actions as tools, for models whose template lists them. One that was trained on its catalogue, as the shipped one, does not read them. */
export function actionTools({ actions }: ActionCatalogue): readonly (ToolSpec & { readonly description: string })[] {
  return actions.map(({ name, about, arguments: wanted }) => ({
    name,
    description: about,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(wanted.map((argument) => [argument.name, schemaOf(argument)])),
      required: wanted.filter(({ isOptional }) => !isOptional).map((argument) => argument.name),
      additionalProperties: false,
    },
  }));
}

function schemaOf(argument: ActionArgument): Readonly<Record<string, unknown>> {
  const about = argument.about === '' ? {} : { description: argument.about };
  switch (argument.type) {
    case 'enum':
      return { type: 'string', enum: argument.values, ...about };
    case 'integer':
    case 'number':
      return { type: argument.type, minimum: argument.min, maximum: argument.max, ...about };
    case 'string':
      return { type: 'string', minLength: 1, maxLength: argument.lengthMax, ...about };
    case 'boolean':
      return { type: 'boolean', ...about };
  }
}
