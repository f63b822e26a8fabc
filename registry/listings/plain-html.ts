const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The text as it was written, where it cannot be rendered. */
export const plainHtml = (text: string): string => `<pre>${text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!)}</pre>`;
