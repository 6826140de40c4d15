package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

const settingPrefix = "PASSBOOK_"

// settingFileMax is the largest file that a NAME_FILE may name.
const settingFileMax = 64 << 10

// loadEnvironment makes the environment what the flags read: a setting that is
// empty counts as unset, and NAME_FILE stands for NAME with the file's content,
// less a newline at its end. set and unset change the environment.
func loadEnvironment(environ []string, set func(name, value string) error, unset func(name string) error) error {
	var faults []error
	values := make(map[string]string)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, settingPrefix) {
			continue
		}
		if value == "" {
			faults = append(faults, unset(name))
			continue
		}
		values[name] = value
	}
	for file, path := range values {
		name, isFile := strings.CutSuffix(file, "_FILE")
		if !isFile {
			continue
		}
		if _, both := values[name]; both {
			faults = append(faults, fmt.Errorf("%s and %s are both set: unset one of them", name, file))
			continue
		}
		content, err := readSetting(path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
			continue
		}
		faults = append(faults, set(name, content))
	}
	return errors.Join(faults...)
}

func readSetting(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err //nolint:wrapcheck // it names the file and what is wrong with it
	}
	if !info.Mode().IsRegular() || info.Size() > settingFileMax {
		return "", fmt.Errorf("%s is no file of %d bytes at most", path, settingFileMax)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err //nolint:wrapcheck // it names the file and what is wrong with it
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
