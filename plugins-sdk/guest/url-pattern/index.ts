import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { webClass } from '../web-class.ts';

webClass(URLPattern, 'URLPattern');

/** URLPattern of the WHATWG standard. It reads URLs by the plugin's own `URL`. */
export { URLPattern };
