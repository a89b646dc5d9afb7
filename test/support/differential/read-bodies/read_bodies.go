// Reads JSON-RPC bodies as a server in Go does, with encoding/json, which takes members in any case, and says what it
// found in them. Input and output are those of read_bodies.py.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
)

type message struct {
	Method json.RawMessage `json:"method"`
	ID     json.RawMessage `json:"id"`
	Params json.RawMessage `json:"params"`
}

type params struct {
	Name json.RawMessage `json:"name"`
	URI  json.RawMessage `json:"uri"`
	Ref  json.RawMessage `json:"ref"`
	Meta json.RawMessage `json:"_meta"`
}

type reference struct {
	Type json.RawMessage `json:"type"`
	Name json.RawMessage `json:"name"`
	URI  json.RawMessage `json:"uri"`
}

type meta struct {
	Assertion json.RawMessage `json:"io.portcullis/assertion"`
}

type found struct {
	Method  *string `json:"method"`
	Name    *string `json:"name"`
	URI     *string `json:"uri"`
	RefType *string `json:"refType"`
	RefName *string `json:"refName"`
	RefURI  *string `json:"refUri"`
	// What stands where the gateway puts its statement of who asks.
	Assertion *string         `json:"assertion"`
	ID        json.RawMessage `json:"id"`
}

func text(raw json.RawMessage) *string {
	var value *string
	if raw == nil || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	return value
}

func find(raw json.RawMessage) *found {
	var envelope message
	if json.Unmarshal(raw, &envelope) != nil {
		return nil
	}
	var given params
	_ = json.Unmarshal(envelope.Params, &given)
	var ref reference
	_ = json.Unmarshal(given.Ref, &ref)
	var about meta
	_ = json.Unmarshal(given.Meta, &about)
	return &found{
		text(envelope.Method), text(given.Name), text(given.URI),
		text(ref.Type), text(ref.Name), text(ref.URI), text(about.Assertion), envelope.ID,
	}
}

func findAll(body []byte) []*found {
	if !json.Valid(body) {
		return nil
	}
	messages := []json.RawMessage{body}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) && json.Unmarshal(body, &messages) != nil {
		return nil
	}
	all := []*found{}
	for _, each := range messages {
		all = append(all, find(each))
	}
	return all
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(output)
	for {
		var length uint32
		if binary.Read(input, binary.BigEndian, &length) != nil {
			break
		}
		if length == 0 {
			output.Flush()
			continue
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(input, body); err != nil {
			break
		}
		if encoder.Encode(findAll(body)) != nil {
			break
		}
	}
	output.Flush()
}
