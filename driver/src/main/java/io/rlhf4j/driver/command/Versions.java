package io.rlhf4j.driver.command;

import io.rlhf4j.driver.identity.LibraryVersions;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
public final class Versions implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return LibraryVersions.all().entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .toArray(String[]::new);
    }
}
