/** A certificate that a unit has put on a host. */
export interface CertificateEnd {
  unit: string;
  path: string;
  /** Anything that `Date` reads. */
  ends: string;
}

/** So many days before its end a certificate is worth a word, unless told otherwise. */
export const usualDays = 14;

export function daysLeft({ ends }: CertificateEnd, now: Date): number {
  return (Date.parse(ends) - now.getTime()) / 86_400_000;
}

/** Those that end within so many days, each with its reason in words. */
export function endingSoon(certificates: readonly CertificateEnd[], days: number, now: Date) {
  return certificates.flatMap((certificate) => {
    const left = daysLeft(certificate, now);
    if (left > days) return [];
    const on = new Date(certificate.ends).toISOString().slice(0, 10);
    const when = left < 0 ? `has ended on ${on}` : `ends on ${on}, in ${Math.floor(left)} days`;
    return [{ unit: certificate.unit, reason: `certificate ${certificate.path} ${when}` }];
  });
}
