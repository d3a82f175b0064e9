using System.Reflection;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Extensions.AI;
using Hyperlight.Kvm;
using Hyperlight.Plugins;
using Hyperlight.Programs;
using OpenTelemetry.Trace;

namespace Hyperlight.Tests.Documentation;

/// <summary>The public types of the libraries.</summary>
internal static class PublicApi
{
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. new[] { typeof(IHypervisor), typeof(SandboxBuilder), typeof(KvmHypervisor), typeof(EmulatorHypervisor), typeof(HyperlightTracerProviderBuilderExtensions), typeof(ProgramRunner), typeof(CodeExecutionFunction), typeof(PluginCall) }
            .SelectMany(type => type.Assembly.GetExportedTypes()),
    ];

    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    /// <summary>Whether the type has a member of the name, or inherits one.</summary>
    public static bool HasMember(Type type, string name) =>
        type.GetMember(name, Everything).Length > 0 || type.GetInterfaces().Any(i => i.GetMember(name).Length > 0);

    /// <summary>Whether any type has a method of the name.</summary>
    public static bool HasMethod(string name) =>
        Types.Any(type => type.GetMethods(Everything).Any(m => m.Name == name));
}
