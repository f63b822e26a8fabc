import { recogniseParams } from '../../body.ts';
import { linkedParams, parseForm, replaceParams, URLSearchParams } from './search-params.ts';

export { linkedParams, parseForm, replaceParams, URLSearchParams };

recogniseParams(URLSearchParams);
