/** Whom tokens are for that others than the gateway check; the gateway's are for its own URL. */
export const checkedAudience = 'https://mcp.example.com/mcp';
