using System.Reflection;

namespace Hyperlight.Tests.Abstractions;

/// <summary>Errors say what failed, with which code, and what to do.</summary>
[TestFixture]
internal sealed class ErrorTests
{
    [Test]
    public void A_hypervisor_error_says_everything()
    {
        var error = new HypervisorException("kvm", "KVM_CREATE_VM", 12, "ENOMEM", "Free some memory.");

        Assert.That(error.Message, Is.EqualTo("kvm: KVM_CREATE_VM failed: ENOMEM (error 12). Free some memory."));
        Assert.That((error.Driver, error.Operation, error.ErrorCode, error.Remedy),
            Is.EqualTo(("kvm", "KVM_CREATE_VM", 12, "Free some memory.")));
    }

    [Test]
    public void Every_error_of_the_library_has_one_base()
    {
        Type[] errors = [.. new[] { typeof(HyperlightException).Assembly, typeof(MultiUseSandbox).Assembly }
            .SelectMany(a => a.GetExportedTypes())
            .Where(t => t.IsAssignableTo(typeof(Exception)) && t != typeof(HyperlightException))];

        Assert.That(errors, Has.Length.GreaterThan(10));
        Assert.That(errors.Except([typeof(ExecutionCanceledException), typeof(BudgetExceededException), typeof(GuestValueTypeException)]), Is.All.Matches<Type>(t => t!.IsAssignableTo(typeof(HyperlightException))));
        Assert.That(typeof(ExecutionCanceledException).IsAssignableTo(typeof(OperationCanceledException)), "a call that was ended is no error");
        Assert.That(typeof(GuestValueTypeException).IsAssignableTo(typeof(InvalidCastException)), "a mistake of the calling code");
        Assert.That(
            errors.SelectMany(e => e.GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic)).Where(c => !c.IsPrivate), Is.Empty);
    }
}
