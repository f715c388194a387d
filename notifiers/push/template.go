package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// errNotJSON is the error of a template that makes something else than JSON.
var errNotJSON = errors.New("it makes no JSON; a value brings its quotes along: write {{.Title}}, not \"{{.Title}}\"")

// webhookTemplate reads a template, makes each of its actions write JSON, and tries
// it.
func webhookTemplate(text string) (*template.Template, error) {
	asJSON := func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	}
	t, err := template.New("template").Option("missingkey=zero").Funcs(template.FuncMap{"json": asJSON}).Parse(text)
	if err != nil {
		return nil, err
	}
	for _, each := range t.Templates() {
		writeJSON(each.Root)
	}
	r := &core.Record{Channel: `a"b\`, Level: core.LevelError, Time: time.Unix(0, 0), Exception: &core.Exception{Name: "E"}}
	r.SetMessage("\"}],\n<a>")
	alert := webhookAlert(notifiers.Notification{
		ID: 1, Title: `a"b\: Error`, Body: "\"}],\n<a>", Note: "2 times", Level: core.LevelError, Count: 2, Record: r, Context: []*core.Record{r},
	}, 1)
	for _, a := range []WebhookAlert{alert, {Record: new(WebhookRecord)}} {
		if _, err := executeJSON(t, a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// writeJSON puts the function json at the end of each action that writes a value.
func writeJSON(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, each := range n.Nodes {
			writeJSON(each)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			name := parse.NewIdentifier("json").SetPos(n.Pos).SetTree(nil)
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{name}})
		}
	case *parse.IfNode:
		writeJSON(n.List)
		writeJSON(n.ElseList)
	case *parse.RangeNode:
		writeJSON(n.List)
		writeJSON(n.ElseList)
	case *parse.WithNode:
		writeJSON(n.List)
		writeJSON(n.ElseList)
	}
}

// executeJSON makes the body for an alert.
func executeJSON(t *template.Template, alert WebhookAlert) ([]byte, error) {
	var b bounded
	if err := t.Execute(&b, alert); err != nil {
		return nil, fmt.Errorf("make the body: %w", err)
	}
	if !json.Valid(b.Bytes()) {
		return nil, errNotJSON
	}
	return b.Bytes(), nil
}

// bounded is a buffer that takes no more than a body may hold.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > webhookMaxBytes {
		return 0, errTooLarge
	}
	return b.Buffer.Write(p)
}
