package claims

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// canary is what no print of a person may show.
const canary = "手形　鳴子"

// holders are all exported structs that can hold personal data, filled. A new struct has to be put here, or among the harmless.
func holders(t *testing.T) map[string]any {
	t.Helper()
	f := CertificateFields{Name: canary, Address: "東京都千代田区" + canary, Sex: "1", Birth: "419900401"}
	p := person(t, f)
	offers := Evaluate(p, Catalogue(), noon)
	r := Wants{Scopes: Catalogue(), UserInfo: Part{Claims: []Want{wantOf(t, "name#ja")},
		Verified: []VerifiedWant{{Claims: []Want{wantOf(t, "name"), wantOf(t, "birthdate")}}}}}.Release(offers, Catalogue())
	partial := p.Birth()
	day, _ := partial.Complete()
	return map[string]any{
		"CertificateFields": f, "CardInfoFields": CardInfoFields{Name: canary, Birth: "19900401"}, "Person": p, "Name": p.Name(), "Address": p.Address(),
		"Offer": offers[0], "ClaimSet": r.UserInfo.ClaimSet, "AddressClaim": *r.UserInfo.Address, "Scripts": r.UserInfo.Scripts, "Response": r.UserInfo,
		"VerifiedClaims": r.UserInfo.Verified[0], "Released": r, "Want": Want{OneOf: []any{canary}}, "Date": day, "PartialDate": partial, "Place": Locate("東京都千代田区" + canary),
	}
}

// harmless are exported structs that say what is asked and how, not who somebody is.
var harmless = []string{"Claim", "Wants", "Part", "VerifiedWant", "Withheld", "Verification", "Evidence", "Check", "Document", "DocumentIssuer"}

// source is the package as it is written, without its tests.
func source(t *testing.T) []*ast.File {
	t.Helper()
	all, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // one package without build tags
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for name, f := range all["claims"].Files {
		if !strings.HasSuffix(name, "_test.go") {
			files = append(files, f)
		}
	}
	return files
}

func TestNoPrintShowsAPerson(t *testing.T) {
	for name, value := range holders(t) {
		pointer := reflect.New(reflect.TypeOf(value))
		pointer.Elem().Set(reflect.ValueOf(value))
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		for _, v := range []any{value, pointer.Interface(), []any{value}, map[string]any{"x": value}, struct{ X any }{value}} {
			logger.Info("x", "v", v)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&log, verb+"\n", v)
			}
		}
		for _, piece := range []string{canary, "鳴子", fmt.Sprintf("%x", "鳴子"), "1990", "0401"} {
			if strings.Contains(log.String(), piece) {
				t.Errorf("%s shows %q", name, piece)
			}
		}
	}
}

// Only the one type that prints stars says how it prints; and whoever adds a struct has to say whether it holds a person.
func TestNobodyPrintsInAWayOfTheirOwn(t *testing.T) {
	known := harmless
	for name, value := range holders(t) {
		known = append(known, name)
		if _, own := value.(json.Marshaler); own {
			t.Errorf("%s has a MarshalJSON", name)
		}
	}
	prints := []string{"String", "GoString", "Format", "Error", "LogValue", "MarshalJSON", "MarshalText", "AppendText", "MarshalBinary", "GobEncode"}
	for _, file := range source(t) {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && slices.Contains(prints, d.Name.Name) && fmt.Sprint(d.Recv.List[0].Type) != "hidden" {
					t.Errorf("%v has a method %s", d.Recv.List[0].Type, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					declared, ok := s.(*ast.TypeSpec)
					if !ok || !declared.Name.IsExported() {
						continue
					}
					if _, ok := declared.Type.(*ast.StructType); ok && !slices.Contains(known, declared.Name.Name) {
						t.Errorf("does a %s hold a person?", declared.Name.Name)
					}
				}
			}
		}
	}
}
