package main

import "testing"

func TestAHalfConfiguredTokenIsNamed(t *testing.T) {
	for want, pairs := range map[string][]string{
		"need TEGATA_PKCS11_MODULE":       {"TEGATA_PKCS11_TOKEN", "tegata"},
		"needs TEGATA_PKCS11_TOKEN":       {"TEGATA_PKCS11_MODULE", "/nowhere.so"},
		"TEGATA_PKCS11_MODULE: pkcs11: t": {"TEGATA_PKCS11_MODULE", "/nowhere.so", "TEGATA_PKCS11_TOKEN", "tegata", "TEGATA_PKCS11_PIN", "4711"},
	} {
		t.Run(want, func(t *testing.T) {
			d := deploy(t)
			d.set(pairs...)
			d.fails(exitUsage, want, "serve")
			d.fails(exitUsage, want, "keys", "list")
		})
	}
}
