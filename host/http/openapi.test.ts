import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { allRoutes } from '../routes/index.ts';
import { fakePorts } from './fake-ports.ts';
import { openApiDocument } from './openapi.ts';

type Operation = { operationId: string; responses: object; security?: object[] };
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: object } };

describe('openApiDocument', () => {
  const routes = allRoutes(fakePorts());
  const document = JSON.parse(JSON.stringify(openApiDocument(routes, '1.2.3'))) as Document;
  const operations = () =>
    Object.values(document.paths).flatMap((item) => Object.entries(item).filter(([method]) => method !== 'parameters'));

  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).to.deep.equal([]);
    expect(result.valid).to.equal(true);
  });

  it('describes every route of the table, and the data plane', () => {
    for (const { path, method } of routes) {
      const described = document.paths[path.replace(/:(\w+)/g, '{$1}')];
      expect(described, path).to.have.property(method.toLowerCase());
    }
    expect(document.paths['/run/{operator}/{installation}/{path}']).to.include.keys('get', 'post', 'delete');
  });

  it('gives every operation an id of its own', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(ids).to.have.length(new Set(ids).size);
  });

  it('refers only to components that exist', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).to.have.property(name!);
    }
    expect(document.components.schemas).to.include.keys('Problem', 'Release', 'Installation', 'Limits');
  });

  it('lists the refusals of a route under their statuses', () => {
    const { responses } = document.paths['/v1/releases']!.post!;
    expect(JSON.stringify(responses)).to.include('release-version-taken').and.to.include('permission-denied');
    expect(Object.keys(responses)).to.include.members(['201', '401', '403', '409', '413', '415', '422', '503']);
  });

  it('asks for no token on public routes', () => {
    expect(document.paths['/healthz']!.get!.security).to.deep.equal([]);
    expect(document.paths['/v1/whoami']!.get!.security).to.equal(undefined);
  });
});
