/** What the user has to put right: a file that is missing, a weight of another shape. */
export class DecoderError extends Error {
  override readonly name = 'DecoderError';
}
