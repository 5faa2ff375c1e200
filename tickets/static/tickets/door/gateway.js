// The only module that asks for a verdict on a code. It asks the service; a check against a list on
// the phone itself, for doors without a network, would be added here and nowhere else.

/** How long the service may take before a scan counts as not checked, in milliseconds. */
const PATIENCE = 8000;

/** A random UUID (version 4); pages without https have no crypto.randomUUID. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** Why the service gave no verdict: the name of the text that says so, in words.html. */
function reasonOf(status) {
  if (status === 401) return "logged-out";
  return status === 403 || status === 404 ? "not-allowed" : "no-answer";
}

/**
 * urls: {scan, undo, counts}; token: the page's CSRF token.
 */
export function openGateway({ urls, token }) {
  /** {data} from a good answer; else {reason, data}, with data null unless it came as JSON. */
  async function ask(url, fields) {
    const options = { headers: { Accept: "application/json" }, cache: "no-store" };
    if (fields) {
      options.method = "POST";
      options.body = new URLSearchParams(fields);
      options.headers["X-CSRFToken"] = token;
    }
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const response = await fetch(url, { ...options, signal: patience.signal });
      const data = await response.json().catch(() => null);
      if (response.ok && data) return { data };
      return { data, reason: reasonOf(response.status) };
    } catch (error) {
      return { data: null, reason: error.name === "AbortError" ? "no-answer" : "no-connection" };
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    /**
     * The verdict on a code. Never throws: without an answer the result is
     * {outcome: "not checked", reason}. The service judges each id only once, however often asked.
     */
    async judge(code, id = newId()) {
      const { data, reason } = await ask(urls.scan, { id, code });
      if (!reason) return { ...data, id, code };
      return { outcome: "not checked", tone: "unchecked", reason, id, code };
    },

    /** Take an entry back: {said} where that was done, else {error} in words, or {error: null}. */
    async undo(id) {
      const { data, reason } = await ask(urls.undo, { id });
      return reason ? { error: data?.error ?? null } : { said: data.said };
    },

    /** How many are in and expected, or null without an answer. */
    async counts() {
      const { data, reason } = await ask(urls.counts);
      return reason ? null : data;
    },
  };
}
