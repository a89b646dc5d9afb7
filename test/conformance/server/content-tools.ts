import {
  fromJsonSchema,
  type CallToolResult,
  type JsonSchemaType,
  type McpServer,
} from '@modelcontextprotocol/server';
import { png, wav } from './samples.ts';

/** A tool's whole answer. */
export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

/** Tools that answer at once, with each kind of content, and tools whose schemas are the point. */
export function addContentTools(server: McpServer): void {
  const answers: Readonly<Record<string, CallToolResult>> = {
    test_simple_text: text('This is a simple text response for testing.'),
    test_image_content: { content: [{ type: 'image', ...png }] },
    test_audio_content: { content: [{ type: 'audio', ...wav }] },
    test_embedded_resource: {
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    },
    test_multiple_content_types: {
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', ...png },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    },
    test_error_handling: {
      isError: true,
      content: [{ type: 'text', text: 'This tool intentionally returns an error for testing' }],
    },
  };
  for (const [name, answer] of Object.entries(answers)) {
    server.registerTool(name, { description: `Answers what ${name} is named for` }, () => answer);
  }
  addSchemaTools(server);
}

function addSchemaTools(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(richSchema) },
    () => text('fits the schema'),
  );
  server.registerTool(
    'test_parameter_in_header',
    {
      description: 'Its parameter also travels in Mcp-Param-Region',
      inputSchema: fromJsonSchema<{ readonly region: string }>(regionSchema),
    },
    ({ region }) => text(`region ${region}`),
  );
}

/** The annotation of SEP-2243. */
const regionSchema = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
};

/** Of the scenario json-schema-2020-12 (SEP-1613, SEP-2106): every keyword has to arrive at the client. */
const richSchema = JSON.parse(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}`) as JsonSchemaType;
