import { parentPort, workerData } from 'node:worker_threads';
import { type ImageAddresses, renderMarkdown } from './render-markdown.ts';

/** The thread that renders the texts of one release and ends. */
const { texts, images } = workerData as { texts: (string | null)[]; images: ImageAddresses };
parentPort!.postMessage(texts.map((text) => (text === null ? null : renderMarkdown(text, images))));
