//go:build !windows

package speech

import "os/exec"

// hide has nothing to do: only on Windows do programs of the console open windows.
func hide(*exec.Cmd) {}
