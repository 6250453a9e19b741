/** What the server shows to its clients, in PEM. */
export interface ServingPair {
  readonly certificate: string;
  readonly key: string;
}

/** Options of a server of TLS that shows the pair. */
export const tlsOfPair = ({ certificate, key }: ServingPair) => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.2' as const,
});

/** Where the certificate of the server comes from. */
export interface CertificateSource {
  /** The pair to begin with. @throws PannierError when there is none that can be used. */
  first(): Promise<ServingPair>;
  /** Gives each further pair to `use`, until `signal` aborts. Never rejects. */
  keepFresh(use: (pair: ServingPair) => void, signal: AbortSignal): Promise<void>;
  /** Whether clients trust the pair, as far as it can be known. */
  isTrusted(): boolean;
}
