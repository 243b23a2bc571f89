export interface ListedModel {
  readonly id: string;
  /** Wall time of when it was made or loaded, seconds since 1970. */
  readonly createdS: number;
  readonly contextTokens: number;
}

/** The body of `GET /v1/models`. */
export function modelList(models: readonly ListedModel[]): Readonly<Record<string, unknown>> {
  return { object: 'list', data: models.map(modelEntry) };
}

/** The body of `GET /v1/models/<id>`. */
export function modelEntry({ id, createdS, contextTokens }: ListedModel): Readonly<Record<string, unknown>> {
  // `max_model_len` is vLLM's name, which clients look for.
  return { id, object: 'model', created: createdS, owned_by: 'coxswain', max_model_len: contextTokens };
}
