const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** What Kubernetes takes as an amount of a resource: `100m`, `64Mi`, `1e3`. */
export const QUANTITY = /^(\d+(?:\.\d+)?)(?:([numkMGTPE]|[KMGTPE]i)|e(\d{1,2}))?$/;

/** The number that a quantity stands for; undefined when the text is none. */
export function amountOf(quantity: string): number | undefined {
  const match = QUANTITY.exec(quantity);
  if (match === null) return undefined;
  const [, digits, unit = '', exponent] = match;
  return Number(digits) * (exponent === undefined ? (FACTORS[unit] ?? 1) : 10 ** Number(exponent));
}

/** Whether a request is more than a limit, which the API server refuses. */
export const exceeds = (request: string, limit: string): boolean => (amountOf(request) ?? 0) > (amountOf(limit) ?? 0);
