//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// Group makes the program the head of a process group of its own. What the terminal sends to
// this program does not reach it, and when the context of cmd is done, it is killed with
// what it has started. It is called before the program is started.
func Group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}
