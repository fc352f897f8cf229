package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	run "google.golang.org/api/run/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
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

func decode(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// The API of Kubernetes knows every key. A failure policy needs pods that are not
// restarted, and its rule has to name the container.
func TestCronJobOfKubernetes(t *testing.T) {
	var job batch.CronJob
	decode(t, "kubernetes/cronjob.yaml", &job)
	spec := job.Spec.JobTemplate.Spec
	pod := spec.Template.Spec
	if pod.RestartPolicy != core.RestartPolicyNever {
		t.Errorf("restart policy %s", pod.RestartPolicy)
	}
	var final []int32
	for _, rule := range spec.PodFailurePolicy.Rules {
		if rule.Action == batch.PodFailurePolicyActionFailJob {
			final = append(final, rule.OnExitCodes.Values...)
			if *rule.OnExitCodes.ContainerName != pod.Containers[0].Name || rule.OnExitCodes.Operator != batch.PodFailurePolicyOnExitCodesOpIn {
				t.Errorf("%+v", rule.OnExitCodes)
			}
		}
	}
	if !slices.Equal(final, []int32{2, 4, 5}) {
		t.Errorf("exit codes %v are not tried again, want 2, 4 and 5", final)
	}
	for _, mounted := range pod.Containers[0].VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mounted.Name }) {
			t.Errorf("no volume %s", mounted.Name)
		}
	}
}

// The API of Cloud Run knows every key.
func TestJobOfCloudRun(t *testing.T) {
	var job run.Job
	decode(t, "cloudrun/job.yaml", &job)
	task := job.Spec.Template.Spec.Template.Spec
	if task.TimeoutSeconds != 7*60*60 || len(task.Containers) != 1 || task.Containers[0].VolumeMounts[0].Name != task.Volumes[0].Name {
		t.Errorf("%+v", task)
	}
}
