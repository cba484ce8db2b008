package e2e_test

import (
	"os"
	"sync"
	"testing"
)

// scratch holds the programs under test.
var scratch string

// atEnd closes what several tests share.
var atEnd struct {
	sync.Mutex
	do []func()
}

func TestMain(m *testing.M) {
	if os.Getenv(benchServerEnv) != "" { // this binary once more, as the server of the benchmark
		benchServer()
		return
	}
	os.Exit(inScratch(m.Run))
}

func inScratch(run func() int) int {
	dir, err := os.MkdirTemp("", "tegata-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	scratch = dir
	defer func() {
		for _, do := range atEnd.do {
			do()
		}
	}()
	return run()
}
