package wire

import "strings"

// LastException returns the type and the text of the exception that a formatted
// Python traceback ends with: the last one, which is what was caught.
// Both are "" if the text does not look like a traceback.
func LastException(traceback string) (name, message string) {
	lines := strings.Split(strings.TrimRight(traceback, "\n"), "\n")
	// The exception follows the last stack line; its text may have several lines.
	start := -1
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimPrefix(lines[i], "  | ")
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "    +") || isHead(line) {
			break
		}
		if n, _, ok := splitException(line); ok && n != "" {
			start = i
		}
	}
	if start < 0 {
		return "", ""
	}
	boxed := strings.HasPrefix(lines[start], "  | ")
	name, message, _ = splitException(strings.TrimPrefix(lines[start], "  | "))
	for _, line := range lines[start+1:] {
		if boxed {
			if !strings.HasPrefix(line, "  | ") {
				break
			}
			line = line[4:]
		}
		message += "\n" + line
	}
	return name, message
}

func isHead(line string) bool {
	return strings.HasPrefix(strings.TrimLeft(line, " +|"), "Traceback (most recent") ||
		strings.Contains(line, "Exception Group Traceback (most recent")
}

// splitException reads "package.Name: text" or "Name".
func splitException(line string) (name, message string, ok bool) {
	name, message, _ = strings.Cut(line, ": ")
	name = strings.TrimSuffix(name, ":")
	if name == "" {
		return "", "", false
	}
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 0x7f
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9') && c != '<' && c != '>') {
			return "", "", false
		}
	}
	return name, message, true
}
