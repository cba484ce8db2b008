package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tegata/storage/seal"
)

type secrets struct {
	seal    *seal.Keyset
	subject []byte
}

// loadSecrets makes the deployment's secrets on first use and keeps them with the data.
func loadSecrets(dir string) (secrets, error) {
	keyset, err := keep(filepath.Join(dir, "seal.json"), seal.NewKeyset)
	if err != nil {
		return secrets{}, err
	}
	text, err := keep(filepath.Join(dir, "subject.key"), func() ([]byte, error) {
		var key [32]byte
		_, err := io.ReadFull(rand.Reader, key[:])
		return []byte(base64.StdEncoding.EncodeToString(key[:])), err
	})
	if err != nil {
		return secrets{}, err
	}
	subject, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return secrets{}, fmt.Errorf("subject.key in %s is damaged", dir)
	}
	sealer, err := seal.FromKeyset(keyset)
	return secrets{sealer, subject}, err
}

func keep(path string, make func() ([]byte, error)) ([]byte, error) {
	body, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return body, err
	}
	if body, err = make(); err != nil {
		return nil, err
	}
	return body, os.WriteFile(path, body, 0o600)
}
