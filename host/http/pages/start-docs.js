SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  // The token that is entered stays in memory: it is gone when the page is closed.
  persistAuthorization: false,
  // Without an address nothing is sent to a validator elsewhere.
  validatorUrl: null,
});
