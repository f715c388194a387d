package core

import (
	"runtime"
	"strconv"
	"strings"
)

// maxFrames bounds how many calls of a stack are looked at.
const maxFrames = 64

// callStack returns the calls from skip callers above its own caller on,
// innermost first.
func callStack(skip int) []runtime.Frame {
	var pcs [maxFrames]uintptr
	n := runtime.Callers(skip+1, pcs[:])
	if n == 0 {
		return nil
	}
	var calls []runtime.Frame
	frames := runtime.CallersFrames(pcs[:n])
	for {
		f, more := frames.Next()
		if f.Function != "runtime.goexit" && f.Function != "runtime.main" {
			calls = append(calls, f)
		}
		if !more {
			return calls
		}
	}
}

// panicStack returns the calls that led to the panic that is being recovered,
// innermost first.
func panicStack() []runtime.Frame {
	calls := callStack(1)
	panicking := false
	for i, f := range calls {
		if panicking && !strings.HasPrefix(f.Function, "runtime.") {
			return calls[i:]
		}
		panicking = panicking || f.Function == "runtime.gopanic"
	}
	return nil
}

// stackText lays out a stack as the Go runtime does, without what differs from
// one time to the next: the number of the goroutine, the arguments, the
// offsets. So an error that repeats has the same text.
func stackText(calls []runtime.Frame) string {
	var b strings.Builder
	b.WriteString("goroutine [running]:")
	for _, f := range calls {
		b.WriteString("\n" + f.Function + "(...)\n\t" + f.File + ":" + strconv.Itoa(f.Line))
	}
	return b.String()
}
