// Loaded before the gateway: node --import ./traces.mjs dist/main.js --config config.yaml
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'portcullis' }),
  // Goes to OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4318 if that isn't set.
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
// What the last requests left behind; the gateway has closed by then.
process.once('beforeExit', () => void provider.shutdown());
