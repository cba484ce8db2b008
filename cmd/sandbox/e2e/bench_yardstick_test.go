package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// usualVerification is what one P-256 verification takes on the machine for which the targets were set, in µs.
const usualVerification = 67.0

// yardstick verifies P-256 signatures now and then until stop is called, which returns the CPU time of one in µs: it
// tells a slow machine, or one with other work to do, from a slow server.
func yardstick(t testing.TB) (stop func() float64) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	hash := make([]byte, 32)
	signature, err := ecdsa.SignASN1(rand.Reader, key, hash)
	must(t, err)
	end, result := make(chan struct{}), make(chan float64)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread and its clock end with this goroutine
		pace := time.NewTicker(150 * time.Millisecond)
		defer pace.Stop()
		start := threadCPU()
		for n := 0.0; ; {
			for range 25 { // enough that the first one's cold start and the waiting do not count
				ecdsa.VerifyASN1(&key.PublicKey, hash, signature)
				n++
			}
			select {
			case <-end:
				result <- (threadCPU() - start).Seconds() * 1e6 / n
				return
			case <-pace.C:
			}
		}
	}()
	return func() float64 { close(end); return <-result }
}

func threadCPU() time.Duration {
	var spent syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_THREAD, &spent) // cannot fail for oneself
	return time.Duration(spent.Utime.Nano() + spent.Stime.Nano())
}
