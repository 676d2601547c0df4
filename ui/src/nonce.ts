/**
 * The nonce that the app put on the page's one inline style. Style elements that scripts add are
 * ignored under the content security policy unless they carry it.
 */
export function styleNonce(): string | undefined {
  const style = document.getElementById("nonce");
  return style instanceof HTMLStyleElement && style.nonce !== "" ? style.nonce : undefined;
}
