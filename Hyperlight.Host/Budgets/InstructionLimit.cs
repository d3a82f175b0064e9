using Hyperlight.Abstractions;

namespace Hyperlight.Host.Budgets;

/// <summary>The limit on what a guest may execute in a call, on machines that can count.</summary>
internal sealed class InstructionLimit
{
    private readonly string _driver;
    private readonly IInstructionCounter? _counter;
    private long _countAtBegin;
    private bool _isLimited;

    /// <summary>Checks that the machine can do what is asked.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="limit">The limit of all calls, if there is one.</param>
    /// <exception cref="HypervisorException">There is a limit, and the machine does not count.</exception>
    public InstructionLimit(string driver, IVirtualMachine machine, long? limit)
    {
        _driver = driver;
        _counter = machine as IInstructionCounter;
        if (limit is not null && _counter is null)
        {
            throw new HypervisorException(
                driver,
                "InstructionBudget",
                0,
                "its machines do not count instructions",
                $"Run the guest on the emulator, or do not set {nameof(CallBudget)}.{nameof(CallBudget.Instructions)}.");
        }
    }

    /// <summary>Instructions executed so far, or <see langword="null"/> if the machine does not count.</summary>
    public long? Count => _counter?.InstructionCount;

    /// <summary>Instructions executed in the call in progress, or since the last one began.</summary>
    public long? CountOfCall
    {
        get
        {
            // In this order: if a call begins meanwhile, the difference is not negative.
            long atBegin = Volatile.Read(ref _countAtBegin);
            return Count - atBegin;
        }
    }

    /// <summary>A call begins.</summary>
    /// <param name="limit">How many instructions it may execute, or <see cref="BudgetLimits.None"/>.</param>
    /// <exception cref="UnsupportedConfigurationException">There is a limit, and the machine does not count.</exception>
    public void Begin(long limit)
    {
        if (_counter is null)
        {
            Refuse(limit == BudgetLimits.None ? null : limit, _driver);
            return;
        }

        _countAtBegin = _counter.InstructionCount;
        if (_isLimited || limit != BudgetLimits.None)
        {
            _counter.InstructionBudget = limit;
            _isLimited = limit != BudgetLimits.None;
        }
    }

    /// <summary>Nothing is known of earlier calls any more.</summary>
    public void Forget() => _countAtBegin = Count ?? 0;

    /// <summary>The error for a limit on a driver that does not count.</summary>
    /// <exception cref="UnsupportedConfigurationException">There is a limit.</exception>
    public static void Refuse(long? limit, string driver)
    {
        if (limit is { } count)
        {
            throw new UnsupportedConfigurationException(
                $"{nameof(SandboxConfiguration.Budget)}.{nameof(CallBudget.Instructions)}",
                count,
                driver,
                "which does not count instructions",
                $"Run the guest on the emulator ({nameof(SandboxBuilder.UseEmulator)}), or do not set it.");
        }
    }
}
