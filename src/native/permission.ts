/** What the operating system said to a wish that it may refuse. A refusal is a warning for `doctor`, never a crash. */
export type Permission = { readonly isGranted: true } | { readonly isGranted: false; readonly detail: string; readonly remedy: string };

export const GRANTED: Permission = { isGranted: true };

export const refused = (detail: string, remedy: string): Permission => ({ isGranted: false, detail, remedy });
