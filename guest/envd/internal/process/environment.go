package process

// The environment of a command: clean, then the sandbox's variables, then the
// request's. Nothing of envd's own environment gets in.

import (
	"sort"
	"strings"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment merges the layers; later ones win.
func environment(user account.User, layers ...map[string]string) ([]string, error) {
	shell := user.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	vars := []string{
		"PATH=" + defaultPath, "HOME=" + user.Home, "USER=" + user.Name,
		"LOGNAME=" + user.Name, "SHELL=" + shell, "LANG=C.UTF-8",
	}
	at := make(map[string]int, len(vars))
	for i, entry := range vars {
		at[entry[:strings.IndexByte(entry, '=')]] = i
	}
	for _, layer := range layers {
		for _, key := range sortedKeys(layer) {
			entry := key + "=" + layer[key]
			if key == "" || strings.ContainsAny(key, "=\x00") || hasNUL(entry) {
				return nil, fault.New(fault.InvalidArgument, "invalid environment variable %q", key)
			}
			if i, known := at[key]; known {
				vars[i] = entry
				continue
			}
			at[key] = len(vars)
			vars = append(vars, entry)
		}
	}
	return vars, nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func valueOf(vars []string, key string) string {
	for _, entry := range vars {
		if strings.HasPrefix(entry, key) && entry[len(key)] == '=' {
			return entry[len(key)+1:]
		}
	}
	return ""
}

func hasNUL(text string) bool { return strings.IndexByte(text, 0) >= 0 }
