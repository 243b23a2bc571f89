/** A module as users run it: of `npm run build`, not of what tsx makes of the source, which is half as fast. */
export const compiled = <Module>(path: string): Promise<Module> =>
  import(new URL(`../../dist/${path}.js`, import.meta.url).href) as Promise<Module>;
