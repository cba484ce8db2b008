package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// useSecretFiles lets every variable X of the command line also come from the file that X_FILE names, which is how
// containers hand over secrets. Both at once is a mistake nobody should have to guess about.
func useSecretFiles(n *kong.Node) error {
	for _, f := range n.Flags {
		for _, name := range f.Envs {
			if err := readSecretFile(name); err != nil {
				return err
			}
		}
	}
	for _, child := range n.Children {
		if err := useSecretFiles(child); err != nil {
			return err
		}
	}
	return nil
}

func readSecretFile(name string) error {
	path, ok := os.LookupEnv(name + "_FILE")
	if !ok {
		return nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_FILE cannot be read: %w", name, err)
	}
	value := strings.TrimRight(string(body), "\r\n")
	if direct, both := os.LookupEnv(name); both && direct != value {
		return fmt.Errorf("%s and %s_FILE are both set and differ: keep one", name, name)
	}
	return os.Setenv(name, value)
}
