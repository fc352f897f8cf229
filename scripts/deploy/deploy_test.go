package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// systemd finds no fault with the units, once the program that they start is there.
func TestUnitsOfSystemd(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"churntier@.service", "churntier@.timer"} {
		text, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		there := strings.ReplaceAll(string(text), "/usr/local/bin/churntier", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "@", "@churn")), []byte(there), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said := tool(t, "systemd-analyze", "verify", "--man=no", filepath.Join(dir, "churntier@churn.timer"), filepath.Join(dir, "churntier@churn.service")); strings.Contains(said, dir) {
		t.Error(said)
	}
}

func TestDAGParses(t *testing.T) {
	tool(t, "python3", "-c", "import ast; ast.parse(open('airflow/churntier_nightly.py').read())")
}
