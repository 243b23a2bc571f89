/** What tables add to a name that does not change what the model is, taken off one after another from the end. */
const SUFFIXES = [
  /[-_ ](instruct|chat|it|hf|base|distilled|npu\d?|gguf|awq|gptq|w\d+a\d+)$/i,
  /[-_ ](relu6?|silu|leaky|quantized|quant|int8|fp16|float|detection|classification|coco|imagenet)$/i,
  /[-_ ]v\d+\.\d+$/i,
  /[-_ ]\d{3,4}(x\d{3,4})?$/,
  // The operator set of an ONNX file.
  /-\d{1,2}$/,
];

/** Names that tables write in many ways come out as one: `YOLOv8-n`, `yolo_v8n` and `yolov8n`. Points stay, since 2.5 is not 25. */
export const nameKey = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9.]/g, '')
    .replace(/yolov(?=\d)/g, 'yolo');

/** The name as it stands, then with less and less of its end. */
export function nameKeys(name: string): readonly string[] {
  const keys = [nameKey(name)];
  let rest = name.trim();
  for (let isShorter = true; isShorter; ) {
    isShorter = false;
    for (const suffix of SUFFIXES) {
      const shorter = rest.replace(suffix, '');
      if (shorter === rest || shorter === '') continue;
      rest = shorter;
      isShorter = true;
      keys.push(nameKey(rest));
      break;
    }
  }
  return keys;
}

/** Billions of parameters that a name tells. */
export interface NamedSize {
  readonly total: number;
  /** What one token uses, where the name says so: `A3B` of a mixture of experts. */
  readonly active: number | undefined;
}

/** `Qwen3.5 2B`, `gemma3n-E2B`, `30B-A3B`, `3B-A570M`. */
export function namedSize(name: string): NamedSize | undefined {
  const total = /(?:^|[^a-z0-9.])e?(\d{1,4}(?:\.\d{1,3})?)\s*b(?![a-z])/i.exec(name);
  const millions = /(?:^|[^a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)\s*m(?![a-z])/i.exec(name);
  const active = /(?:^|[^a-z0-9.])a(\d{1,4}(?:\.\d{1,3})?)\s*([bm])(?![a-z])/i.exec(name);
  const billions = total !== null ? Number(total[1]) : millions !== null ? Number(millions[1]) / 1000 : undefined;
  if (billions === undefined || billions <= 0) return undefined;
  return { total: billions, active: active === null ? undefined : Number(active[1]) / (active[2]?.toLowerCase() === 'm' ? 1000 : 1) };
}
