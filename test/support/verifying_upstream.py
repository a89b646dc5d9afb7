"""An MCP server's place: answers each call with what the snippet reads out of its assertion. Prints its port."""

import http.server
import json
import os
import sys

sys.path.insert(0, os.environ["SNIPPETS"])
sys.dont_write_bytecode = True

import jwt
from verify_assertion import assertions_of


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        lines = self.headers.get_all("X-Auth-Assertion") or []
        try:
            if len(lines) != 1:
                raise jwt.InvalidTokenError(f"{len(lines)} assertions")
            answer = {"result": who_asks(lines[0])}
        except jwt.PyJWTError as error:
            answer = {"error": {"code": 1, "message": str(error)}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
who_asks = assertions_of(os.environ["GATEWAY"], f"http://127.0.0.1:{server.server_port}/mcp")
print(server.server_port, flush=True)
server.serve_forever()
