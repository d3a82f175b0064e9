namespace Hyperlight.Plugins;

/// <summary>Carries lines between an application and a plugin. One caller at a time in each direction.</summary>
internal interface IPluginTransport
{
    /// <summary>Sends a line.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> line, CancellationToken cancellationToken);

    /// <summary>Receives the next line; <see langword="null"/> after the last one. It is valid until the next call.</summary>
    /// <exception cref="InvalidDataException">The line is too long.</exception>
    ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken);
}
