package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/logbook-tray/logbook-tray/core"
)

// fieldName returns "channel" or "process.name" for a name or a member of one;
// "" for everything else.
func fieldName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		id, ok := n.Node.(*ast.IdentifierNode)
		key, named := n.Property.(*ast.StringNode)
		if ok && named && !n.Method {
			return id.Value + "." + key.Value
		}
	}
	return ""
}

// textField returns the field of a record that n names, if that is a text.
func textField(n ast.Node) func(*core.Record) string {
	switch fieldName(n) {
	case "channel":
		return func(r *core.Record) string { return r.Channel }
	case "message":
		return (*core.Record).Message
	case "msg":
		return func(r *core.Record) string { return r.Msg }
	case "file":
		return func(r *core.Record) string { return r.Caller().File }
	case "function":
		return func(r *core.Record) string { return r.Caller().Function }
	case "module":
		return func(r *core.Record) string { return r.Caller().Module }
	case "process.name":
		return func(r *core.Record) string { return r.Process.Name }
	case "thread.name":
		return func(r *core.Record) string { return r.Thread.Name }
	case "source.name":
		return func(r *core.Record) string { return r.Source.Name }
	case "source.peer":
		return func(r *core.Record) string { return r.Source.Peer }
	case "source.host":
		return func(r *core.Record) string { return host(r.Source.Peer) }
	}
	return exceptionField(fieldName(n))
}

func exceptionField(name string) func(*core.Record) string {
	var get func(*core.Exception) string
	switch name {
	case "exception.name":
		get = func(x *core.Exception) string { return x.Name }
	case "exception.short_name":
		get = (*core.Exception).ShortName
	case "exception.message":
		get = func(x *core.Exception) string { return x.Message }
	case "exception.traceback":
		get = func(x *core.Exception) string { return x.Traceback }
	default:
		return nil
	}
	return func(r *core.Record) string {
		if r.Exception == nil {
			return ""
		}
		return get(r.Exception)
	}
}

// numberField returns the field of a record that n names, if that is a number.
func numberField(n ast.Node) func(*core.Record) int {
	switch fieldName(n) {
	case "level":
		return func(r *core.Record) int { return int(r.Level) }
	case "line":
		return func(r *core.Record) int { return r.Caller().Line }
	case "process.id":
		return func(r *core.Record) int { return r.Process.ID }
	case "thread.id":
		return func(r *core.Record) int { return int(r.Thread.ID) }
	}
	return nil
}
