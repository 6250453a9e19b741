export function openApi(version: string): object {
  return { openapi: '3.1.0', info: { title: 'Pannier', version }, paths: {} };
}
