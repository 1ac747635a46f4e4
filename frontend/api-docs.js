// The REST reference, drawn from this server's own OpenAPI document: nothing is loaded from elsewhere.
SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });
